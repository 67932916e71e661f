# The README's first command in a container: ten networks learn Iris, results in /work/results.
#   docker build -t physlearn . && docker run --rm -v "$PWD/results:/work/results" physlearn
FROM debian:12-slim
RUN apt-get update -q \
    && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /work
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY physlearn physlearn
COPY circuits circuits
COPY examples examples
RUN python3 -m venv /opt/physlearn && /opt/physlearn/bin/pip install -q --no-cache-dir .
ENV PATH=/opt/physlearn/bin:$PATH NUMBA_CACHE_DIR=/tmp/numba
CMD ["physlearn", "run", "examples/iris_resistors.toml"]
