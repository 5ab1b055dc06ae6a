"""Methods that find faults in data: NumPy in, frozen values of NumPy out, no workspace needed."""
