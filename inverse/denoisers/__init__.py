"""Priors behind one contract: `denoiser(x, sigma)` estimates the clean image."""
