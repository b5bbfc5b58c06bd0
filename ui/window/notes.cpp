#include "ui/window/notes.h"

#include <QApplication>
#include <QCoreApplication>

#include "ui/window/note_dialog.h"

namespace plumbline::ui {

namespace {

QString tr(const char* text) {
    return QCoreApplication::translate("Notes", text);
}

}  // namespace

void show_keys(const Theme& theme, QWidget* window) {
    auto* note = new NoteDialog(theme, tr("Keys"), window);
    note->add_pairs({{tr("1 or ←"), tr("A is better")},
                     {tr("2 or →"), tr("B is better")},
                     {tr("Q W E"), tr("The next choice is slightly, clearly, much better")},
                     {tr("↓"), tr("Tie")},
                     {tr("0"), tr("All replies are bad")},
                     {tr("1 to 6"), tr("The best of more than two; in Rank, the next one")},
                     {tr("Backspace"), tr("In Rank, takes the last rank back")},
                     {tr("Enter"), tr("In Rank, records the ranks")},
                     {tr("S"), tr("Skip this pair")},
                     {tr("R"), tr("Sample again")},
                     {tr("Ctrl+Z"), tr("Undo the last answer")},
                     {tr("Alt+← Alt+→"), tr("Previous, next prompt")},
                     {tr("P"), tr("Pause or resume training")},
                     {tr("Esc"), tr("Stop what runs")},
                     {tr("Ctrl+K"), tr("Find a command")}});
    note->open();
}

void show_about(const Theme& theme, QWidget* window) {
    auto* note = new NoteDialog(theme, tr("Plumbline %1").arg(QApplication::applicationVersion()), window);
    note->add_text(
        tr("A workbench for hands-on reinforcement learning from human feedback. Everything runs on this "
           "computer. Free software under the GNU General Public License, version 3 or later."));
    note->open();
}

}  // namespace plumbline::ui
