"""pcpg: a reproduction of Pseudo-Convolutional Policy Gradient for Lip-Reading (Luo et al., FG 2020)."""
