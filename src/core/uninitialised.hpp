#pragma once

#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace fdkbench {

/// Leaves new elements without a value: threads that fill a large vector side by side then also
/// share the cost of its pages.
template <typename T>
struct UninitialisedAllocator : std::allocator<T> {
    template <typename U>
    struct rebind {
        using other = UninitialisedAllocator<U>;
    };
    void construct(T* element) { ::new (static_cast<void*>(element)) T; }
    template <typename... Arguments>
    void construct(T* element, Arguments&&... arguments) {
        ::new (static_cast<void*>(element)) T(std::forward<Arguments>(arguments)...);
    }
};

template <typename T>
using Uninitialised = std::vector<T, UninitialisedAllocator<T>>;

}  // namespace fdkbench
