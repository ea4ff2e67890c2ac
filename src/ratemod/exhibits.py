"""The charts under the name that they had in version 0.1."""

from ratemod import charts as charts
