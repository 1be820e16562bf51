"""Stratoscope: how the stages of a visual hierarchy reformat images."""
