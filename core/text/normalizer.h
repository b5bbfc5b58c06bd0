#pragma once
// What is done to a text before it is cut into words.

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "core/text/pre_tokenizer.h"
#include "core/text/unicode.h"

namespace plumbline {

class PrecompiledCharsmap;

struct LowercaseStep {};
struct StripStep {  // white space at the ends
    bool left = true, right = true;
};
struct StripAccentsStep {};  // leaves combining marks out; a text in NFD loses its accents by it
struct NmtStep {};           // leaves control characters out; other white space becomes a space
struct ReplaceStep {
    Delimiter what;
    std::string by;
};
struct PrependStep {  // before a text that is not empty
    std::string text;
};
using NormalizerStep = std::variant<NormalForm, LowercaseStep, StripStep, StripAccentsStep, NmtStep, ReplaceStep,
                                    PrependStep, ByteAlphabetStep, std::shared_ptr<const PrecompiledCharsmap>>;

/// Immutable after construction; may be used from any thread.
class Normalizer {
  public:
    explicit Normalizer(std::vector<NormalizerStep> steps = {}) : steps_(std::move(steps)) {}
    bool empty() const { return steps_.empty(); }
    std::string apply(std::string text) const;   // valid UTF-8 in and out

  private:
    std::vector<NormalizerStep> steps_;
};

}  // namespace plumbline
