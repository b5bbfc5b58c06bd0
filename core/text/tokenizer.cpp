#include "core/text/tokenizer.h"

#include "core/api/errors.h"
#include "core/formats/gguf.h"
#include "core/text/bpe_tokenizer.h"
#include "core/text/utf8_stream.h"

namespace plumbline {

std::shared_ptr<const Tokenizer> Tokenizer::from_gguf(const GgufFile& file) {
    const std::string model = file.text("tokenizer.ggml.model");
    if (model != "gpt2") {
        throw Error("open model",
                    file.path().string() + ": tokenizer.ggml.model '" + model +
                        "' is not supported; use a model with a byte-level BPE tokenizer ('gpt2')");
    }
    return std::make_shared<const BpeTokenizer>(file);
}

std::string Tokenizer::decode(const std::vector<int>& ids, bool skip_special) const {
    std::string bytes;
    for (const int id : ids) {
        const std::string_view part = bytes_of(id);
        if (!skip_special || !is_special(id)) bytes += part;
    }
    return valid_utf8(bytes);
}

}  // namespace plumbline
