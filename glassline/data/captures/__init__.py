"""What the rig sees: one Zarr v3 group per glass, one array per zone, whole zones or none."""
