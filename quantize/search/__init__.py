"""The search model: what words mean, and how alike is alike enough."""
