"""The run of a network: plan, compiled loop, records, streams, sweeps."""
