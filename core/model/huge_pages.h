#pragma once
// Where the weights lie: sampling reads all of them for each token, in pages of 4 KB slower by a third than in large ones.

namespace plumbline {

/// From now on the heap grows by pieces that the system may back with pages of 2 MB; what it has stays as it is. Once is
/// enough. False: without tcmalloc nothing changes.
bool grow_heap_in_huge_pages();

}  // namespace plumbline
