"""Generation without networks: processes of noise, laws, denoisers and transport in closed form."""
