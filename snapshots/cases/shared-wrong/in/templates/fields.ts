{{ page.missing }}
