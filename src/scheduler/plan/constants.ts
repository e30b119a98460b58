/**
 * Points of the parts of a score. `auto` is as issue 6 has it: 100, CPU 0 to 30, memory 0 to 30, load ±10, datacenter ±20;
 * so two nodes differ by at most 120 before copies and wishes are counted. The others are chosen around that.
 */
export const BASE_POINTS = 100
export const CPU_POINTS = 30
export const MEMORY_POINTS = 30
export const LOAD_POINTS = 10
export const DATACENTER_POINTS = 20
/** In the region, but in another zone. */
export const REGION_POINTS = 10
/** For each copy that a node runs, in `auto`: more than the 120, so that copies are stacked only where nothing else fits. */
export const COPY_POINTS = -130
/** For each copy that a node runs, in `spread` and `manual`: more than all other parts together. */
export const STRICT_COPY_POINTS = -1_000
/** A zone that has more copies than the one with the fewest, in `spread`: from the first of these to their sum. */
export const ZONE_POINTS = -100
/** The pods a node still has room for, of any manifest, in `spread`; and its CPU and memory, where pods are equal. */
export const POD_POINTS = 30
export const ROOM_TIE_POINTS = 0.1
/** Preferred terms: the share of the weights that match. As much as CPU and memory together, as Kubernetes weighs them. */
export const PREFERRED_POINTS = 60
/** Copies that would rather be apart, and soft spread constraints: the fullest place gets all of it. */
export const APART_POINTS = -60
export const SPREAD_POINTS = -60
/** A PreferNoSchedule taint: more than a copy and the 120, so that `auto` takes such a node only after all others have a copy. */
export const TAINT_POINTS = -260
/** Most that taints take together, so that `spread` still takes the node with the fewest copies first. */
export const MAX_TAINT_POINTS = -520
/** CPU and memory in `binpack`, each; pods break ties of manifests that state neither. */
export const PACK_POINTS = 50
export const PACK_POD_POINTS = 10
