"""Late payments judged afterwards, in the archive: `python -m jobs.reconcile`, any number of times."""
