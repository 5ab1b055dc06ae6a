"""The findings of a run as a work list: read as columns, filtered, grouped, with what people decided since."""
