"""Spiking networks as other programs write them: Brian2 and NIR.  Names live in `circuits`; modules load when used."""
