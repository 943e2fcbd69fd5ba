"""Paper to records: sources, clean-up, forms, the pipeline, intake and the command line."""

__version__ = "0.1.0"
