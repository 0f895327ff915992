"""Pictures for the chapters: numbers in, a Bokeh layout or coloured text out."""
