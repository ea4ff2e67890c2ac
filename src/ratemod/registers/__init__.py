"""From registers of hazards, certificates, accidents and integrity to rating variables, and to the regulator."""
