"""What leaves the engine: tables, charts, Excel, HTML, disclosure."""
