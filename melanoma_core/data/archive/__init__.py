"""Search and download images from the ISIC Archive."""
