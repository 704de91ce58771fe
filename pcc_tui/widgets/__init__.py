"""Parts of screens. Each shows what it is given; none knows a job or a journal."""
