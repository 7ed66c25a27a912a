"""Find melanoma in photographs of skin lesions: data, training, evaluation, models, reading.

For research and education. Not a medical device.
"""

__version__ = "0.2.0"
