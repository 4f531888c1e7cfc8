"""Training in the browser: uploads, what was understood of them, and runs."""
