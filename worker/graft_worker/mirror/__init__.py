"""The store's copy in a bucket: folders of this machine, sent up and brought back whole."""
