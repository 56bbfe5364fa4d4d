"""The technician's kit. Imported as `devkit`; `packaging/` itself is never a package."""
