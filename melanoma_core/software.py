"""What this software is called, and what every file that leaves it says of itself."""

VERSION = "0.2.0"
SOFTWARE = "Melanoma dashboard"
DISCLAIMER = "For research and education. Not a medical device."
NOT_CONFIRMED = "No person has confirmed this reading."
