"""The files of an invoice: from its rows to a page, a PDF and a mail."""
