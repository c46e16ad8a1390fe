"""Parameters of the methods of transfer and of distillation, one file each."""
