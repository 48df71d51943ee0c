"""Alert failures coming in: the inbound SMTP server and the reader of delivery reports."""
