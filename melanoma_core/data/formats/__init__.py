"""What an image file declares about itself, read before its pixels are decoded."""
