"""The report: results as one self-contained HTML file. It reads results and never recomputes."""

from stratoscope.report.build import Report, build_report
from stratoscope.report.html import write_report

__all__ = ["Report", "build_report", "write_report"]
