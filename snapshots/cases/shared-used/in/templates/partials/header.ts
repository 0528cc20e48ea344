// {page.name}, {page.kind}
