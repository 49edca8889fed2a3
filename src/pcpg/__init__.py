"""pcpg: a reproduction of Pseudo-Convolutional Policy Gradient for Lip-Reading (Luo et al., FG 2020)."""

from pcpg.workspace import numerics

numerics.portable()  # before torch or NumPy is imported
