"""What the bookkeeper and the accountant read: what is owed by age, revenue, VAT returns, and files of a period."""
