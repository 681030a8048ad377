"""The data room: from a file, a dataset's name or the built-in sample to `tf.data`, knowing nothing of models."""
