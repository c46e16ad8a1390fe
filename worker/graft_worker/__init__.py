"""One program that trains, evaluates and exports; it knows no Kubernetes."""
