"""`exp play`: one page that trains a network in the browser, and opens offline."""
