"""The only package that imports TensorFlow or Keras."""
