#pragma once
// Every part of a model that was opened.

#include "core/formats/model_files.h"
#include "tests/fuzz/fuzzing.h"

namespace plumbline::fuzzing {

inline void read_all(const ModelFiles& model) {
    const DecoderConfig& config = model.config();
    for (int part = 0; part <= static_cast<int>(Part::mlp_post_norm); ++part) {
        for (int block = 0; block < (is_of_block(static_cast<Part>(part)) ? config.blocks : 1); ++block) {
            for (const bool bias : {false, true}) {
                const TensorId id{static_cast<Part>(part), block, bias};
                const TensorShape shape = shape_of(config, id.part, bias);
                if (shape.rows == 0) continue;
                // The sizes were checked against the file's.
                std::vector<float> values(static_cast<std::size_t>(shape.rows * std::max<std::int64_t>(shape.columns, 1)));
                accepts([&] { model.read(id, 0, values); });
            }
        }
    }
    promise(config.context >= 1 && config.parameters() > 0);
    config.rope.frequencies(config.turned());
    accepts([&] { model.title(); });
    accepts([&] { model.licence(); });
    accepts([&] { model.chat_template(); });
    accepts([&] { model.main_type(); });
    accepts([&] { model.identity(); });
    accepts([&] { model.tokenizer(); });
}

}  // namespace plumbline::fuzzing
