"""What of the chart is generated: values, their schema and their page, and the dashboards."""
