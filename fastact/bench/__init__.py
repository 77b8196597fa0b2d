"""The measuring bench behind `python -m fastact bench`. Nothing here is imported by `import fastact`."""
