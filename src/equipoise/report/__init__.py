"""What a run ends with: report.json, report.html and plots."""
