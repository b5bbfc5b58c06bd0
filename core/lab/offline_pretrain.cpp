// The offline job `pretrain`: texts in, a tokenizer and a model of their own out.

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>

#include "core/api/errors.h"
#include "core/api/offline.h"
#include "core/formats/data_rows.h"
#include "core/formats/gguf.h"
#include "core/formats/messages.h"
#include "core/lab/machine.h"
#include "core/lab/temporary_folder.h"
#include "core/text/tokenizer.h"
#include "core/training/pretrain.h"
#include "core/training/pretrained_file.h"

namespace plumbline {
namespace {

constexpr const char* operation = "pretrain";
constexpr const char* pre_tokenizer = "gpt-2";

struct CorpusRow {
    int line = 0;
    std::string prompt, response;  // a dialogue
    std::string text;              // or a plain text
    bool is_dialogue = false;
};

std::vector<CorpusRow> read_corpus(const std::filesystem::path& file, std::vector<std::string>& skipped) {
    std::vector<CorpusRow> rows;
    for_each_row(
        file, operation,
        [&](const DataRow& data) {
            const nlohmann::json& json = data.value;
            CorpusRow row;
            row.line = data.line;
            row.is_dialogue = !json.contains("text");
            if (row.is_dialogue) {
                row.prompt = text_of(member(json, "prompt"), "prompt");
                row.response = text_of(member(json, "response"), "response");
            } else {
                row.text = text_of(json["text"], "text");
            }
            rows.push_back(std::move(row));
        },
        [&](int line, const std::string& fault) {
            skipped.push_back("line " + std::to_string(line) + ": " + fault);
        });
    return rows;
}

BpeVocabulary learn_vocabulary(const std::vector<CorpusRow>& rows, const PretrainConfig& config) {
    std::vector<std::string> texts;
    for (const CorpusRow& row : rows) {
        for (const std::string* text : {&row.prompt, &row.response, &row.text}) {
            if (!text->empty()) texts.push_back(*text);
        }
    }
    using Marks = DialogueMarks;
    BpeTraining training;
    training.vocabulary = config.vocabulary;
    training.special_tokens = {Marks::pad, Marks::bos, Marks::eos, Marks::user, Marks::bot};
    training.pre_tokenizer = pre_tokenizer;
    return train_bpe(texts, training);
}

/// The tokenizer as every reader of the model will have it: through a file.
std::shared_ptr<const Tokenizer> as_read(const BpeVocabulary& vocabulary) {
    const TemporaryFolder folder(operation);
    const std::filesystem::path path = folder.path() / "tokenizer.gguf";
    GgufWriter writer;
    add_dialogue_tokenizer(writer, vocabulary, pre_tokenizer);
    writer.write(path);
    return Tokenizer::from_gguf(GgufFile(path));
}

/// Rows as token ids, and for dialogues where the reply begins.
struct Texts {
    std::vector<Sequence> sequences;  // prompt_length: tokens before the reply; 1 for a plain text
    std::vector<int> lengths;
    std::vector<bool> is_dialogue;
};

class Encoder {
  public:
    Encoder(const Tokenizer& tokenizer, int max_length) : tokenizer_(tokenizer), max_length_(max_length) {
        const auto id = [&](const char* mark) { return tokenizer.encode(mark, SpecialTokens::parse).at(0); };
        user_ = id(DialogueMarks::user);
        bot_ = id(DialogueMarks::bot);
    }

    void add(const CorpusRow& row, Texts& out, std::vector<std::string>& skipped) const {
        if (row.is_dialogue) {
            add_dialogue(row, out, skipped);
        } else {
            add_text(row, out, skipped);
        }
    }

  private:
    void add_dialogue(const CorpusRow& row, Texts& out, std::vector<std::string>& skipped) const {
        std::vector<int> prompt{user_}, reply = tokenizer_.encode(row.response, SpecialTokens::as_text);
        const std::vector<int> words = tokenizer_.encode(row.prompt, SpecialTokens::as_text);
        prompt.insert(prompt.end(), words.begin(), words.end());
        prompt.push_back(bot_);
        reply.push_back(tokenizer_.eos());
        const std::size_t length = prompt.size() + reply.size();
        if (length > static_cast<std::size_t>(max_length_)) {
            skipped.push_back("line " + std::to_string(row.line) + ": the dialogue has " +
                              std::to_string(length) +
                              " tokens, more than max_length = " + std::to_string(max_length_));
            return;
        }
        keep(join(prompt, reply), true, out);
    }

    /// <bos>text<eos>, in pieces of max_length.
    void add_text(const CorpusRow& row, Texts& out, std::vector<std::string>& skipped) const {
        std::vector<int> ids{tokenizer_.bos()};
        const std::vector<int> words = tokenizer_.encode(row.text, SpecialTokens::as_text);
        if (words.empty()) {
            skipped.push_back("line " + std::to_string(row.line) + ": the text is empty");
            return;
        }
        ids.insert(ids.end(), words.begin(), words.end());
        ids.push_back(tokenizer_.eos());
        const auto most = static_cast<std::size_t>(max_length_);
        for (std::size_t begin = 0; begin + 1 < ids.size(); begin += most) {
            const auto from = ids.begin() + static_cast<std::ptrdiff_t>(begin);
            const auto count = static_cast<std::ptrdiff_t>(std::min(most, ids.size() - begin));
            keep(whole_text({from, from + count}), false, out);
        }
    }

    static void keep(Sequence sequence, bool is_dialogue, Texts& out) {
        out.lengths.push_back(static_cast<int>(sequence.ids.size()));
        out.sequences.push_back(std::move(sequence));
        out.is_dialogue.push_back(is_dialogue);
    }

    const Tokenizer& tokenizer_;
    int max_length_, user_ = 0, bot_ = 0;
};

/// Every n-th row is held out, so that the split does not hang on the seed.
bool is_heldout(std::size_t place, double share) {
    const auto before = static_cast<std::int64_t>(share * static_cast<double>(place));
    return static_cast<std::int64_t>(share * static_cast<double>(place + 1)) > before;
}

std::map<std::string, double> heldout_losses(const Pretrainer& trainer, const Texts& heldout,
                                             const Pulse& pulse) {
    double nats = 0, tokens = 0, reply_nats = 0, replies = 0;
    constexpr int batch_size = 64;
    for (const auto& batch : bucketed_batches(heldout.lengths, batch_size, 0, 0)) {
        pulse.check();
        std::vector<Sequence> whole, dialogues;
        for (const std::size_t i : batch) {
            whole.push_back(whole_text(heldout.sequences[i].ids));
            tokens += whole.back().reply_length();
            if (heldout.is_dialogue[i]) dialogues.push_back(heldout.sequences[i]);
        }
        for (const double loss : trainer.losses(whole, pulse)) nats += loss;
        if (dialogues.empty()) continue;
        for (const double loss : trainer.losses(dialogues, pulse)) reply_nats += loss;
        replies += static_cast<double>(dialogues.size());
    }
    std::map<std::string, double> out;
    if (tokens > 0) out["heldout/loss"] = nats / tokens;
    if (replies > 0) out["heldout/reply"] = reply_nats / replies;
    return out;
}

void run_steps(Pretrainer& trainer, const Texts& texts, const PretrainConfig& config, PretrainResult& result,
               const Pulse& pulse, const Job& job, const std::function<void(const StepMetrics&)>& on_step) {
    const auto batches_a_pass = (texts.lengths.size() + static_cast<std::size_t>(config.batch_size) - 1) /
                                static_cast<std::size_t>(config.batch_size);
    const int total = config.steps > 0 ? config.steps : static_cast<int>(batches_a_pass) * config.epochs;
    for (int epoch = 0; result.steps < total; ++epoch) {
        for (const auto& batch : config.shuffle
                                     ? bucketed_batches(texts.lengths, config.batch_size, config.seed, epoch)
                                     : batches_in_order(texts.lengths.size(), config.batch_size)) {
            if (result.steps == total) break;
            pulse.check();
            std::vector<Sequence> sequences;
            for (const std::size_t i : batch) sequences.push_back(whole_text(texts.sequences[i].ids));
            const double lr = pretraining_rate(config, result.steps, total);
            try {
                const Pretrainer::Step step = trainer.step(sequences, lr, pulse);
                ++result.steps;
                result.last = {{"loss/next_token", step.loss}, {"grad_norm", step.gradient_norm}, {"lr", lr}};
            } catch (const NonFinite& error) {
                throw Error(operation, "step " + std::to_string(result.steps + 1) + ": " + error.what() +
                                           "; lower lr or check the data");
            }
            if (on_step) on_step({result.steps, result.last});
            if (job.progress) job.progress(static_cast<double>(result.steps) / total, "training");
        }
    }
}

}  // namespace

PretrainResult pretrain(const PretrainRequest& request, const EngineOptions& options, const Job& job,
                        const std::function<void(const StepMetrics&)>& on_step) {
    const PretrainConfig& config = request.config;
    validate(config);
    if (options.device != "auto" && !find_device(options.device).is_cpu()) {
        throw ConfigError("settings", "device '" + options.device + "' cannot pre-train yet; choose cpu");
    }
    use_threads(options.threads);
    const Pulse pulse{{}, job.stop};

    PretrainResult result;
    const std::vector<CorpusRow> rows = read_corpus(request.data, result.skipped);
    if (rows.empty()) {
        throw Error(operation, request.data.string() + ": no row can be used" +
                                   (result.skipped.empty() ? "" : " (" + result.skipped.front() + ")") +
                                   "; write JSON lines with prompt and response, or text");
    }
    if (job.progress) job.progress(0, "learning the vocabulary");
    const BpeVocabulary vocabulary = learn_vocabulary(rows, config);
    const std::shared_ptr<const Tokenizer> tokenizer = as_read(vocabulary);

    Texts training, heldout;
    const Encoder encoder(*tokenizer, config.max_length);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        encoder.add(rows[i], is_heldout(i, config.heldout_share) ? heldout : training, result.skipped);
    }
    if (training.sequences.empty()) {
        throw Error(operation, request.data.string() +
                                   ": every text is held out or too long; raise max_length, or lower "
                                   "heldout_share or give more texts");
    }
    const double mean_targets = std::accumulate(training.lengths.begin(), training.lengths.end(), 0.0) /
                                    static_cast<double>(training.lengths.size()) -
                                1;

    const DecoderConfig model = decoder_config(config, static_cast<std::int64_t>(vocabulary.tokens.size()));
    Pretrainer trainer(model, config, mean_targets);
    result.parameters = model.parameters();
    result.vocabulary = static_cast<int>(vocabulary.tokens.size());
    run_steps(trainer, training, config, result, pulse, job, on_step);
    result.heldout = heldout_losses(trainer, heldout, pulse);

    GgufWriter file;
    file.set("general.name", request.name.empty() ? request.out.stem().string() : request.name);
    add_decoder(file, trainer.weights(), GgufType::bf16);
    add_dialogue_tokenizer(file, vocabulary, pre_tokenizer);
    file.write(request.out);
    return result;
}

}  // namespace plumbline
