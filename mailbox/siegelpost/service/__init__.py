"""Wires all parts into a running service: settings, logs, processes, command line, demo."""
