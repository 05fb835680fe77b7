"""Results other than a verdict, each as one page of HTML: `--report` of their commands."""
