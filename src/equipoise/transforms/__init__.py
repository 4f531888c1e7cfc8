"""Between the data's space and the networks' space: scaling, clustering, whitening."""
