"""Static reading of model definitions: layers, shapes, dtypes. No opinions."""
