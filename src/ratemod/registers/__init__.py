"""From registers of hazards, certificates, accidents and integrity to rating variables, and to the regulator."""

from ratemod.face import show

show(__name__)
