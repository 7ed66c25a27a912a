"""A folder of photographs becomes images that can be trusted."""
