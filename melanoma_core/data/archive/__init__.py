"""The ISIC Archive: search, download, HTTP."""
